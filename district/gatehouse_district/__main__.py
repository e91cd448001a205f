"""``python -m gatehouse_district`` is ``gatehouse-district``."""

import sys

from gatehouse_district.cli import main

sys.exit(main())
