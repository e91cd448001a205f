"""The desk: the page on which people at the district see and answer alarms.

`app` makes it from its `Parts`. What it shows comes from `gatehouse_district.ports` alone; what it
keeps itself (accounts, sessions, who did what) lies in one file, ``desk.db``.
"""

from gatehouse_district.desk.accounts import Account, Accounts, Role
from gatehouse_district.desk.app import app
from gatehouse_district.desk.parts import Parts

__all__ = ["Account", "Accounts", "Parts", "Role", "app"]
