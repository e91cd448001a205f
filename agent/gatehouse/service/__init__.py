"""The composition root of the alarm service: joins the rooms with plain callables."""
