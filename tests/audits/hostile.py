"""A text that wants to become markup, and a number that must stay inside."""

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>"
SECRET = 0.5123776611
