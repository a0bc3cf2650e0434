"""The JSON API, as far as it is not HTTP: who may do what, what is asked for and answered, and its description."""
