"""``gatehouse-district serve``: receiver, desk and enrolment in one process."""
