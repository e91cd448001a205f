"""The simulated gatehouse in a browser: press, see the lamps, break things.

What is seen is what the pins do: every edge comes from the board's socket. What the page shows in
words is what the agent knows, as ``gatehouse status`` says it.
"""
