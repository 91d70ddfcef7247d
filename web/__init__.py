"""The lessons as a web page: `python3 run.py web` builds it into site/."""
