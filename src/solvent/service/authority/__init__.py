"""Authority: who may do what, with whom and after how long, and what was done."""
