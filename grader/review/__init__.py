"""`grade review`: a web page on this machine for what a person decides.

`items.py` is what waits and in which order, `desk.py` reads it from the course and writes decisions down,
`pages.py` and `templates/` show it, `app.py` answers requests, `server.py` runs it.
"""
