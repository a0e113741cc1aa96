"""FastPySGI has no command line: python serve_fastpysgi.py MODULE:CALLABLE PORT"""

import importlib
import sys

import fastpysgi

if __name__ == "__main__":
    module, _, name = sys.argv[1].partition(":")
    application = getattr(importlib.import_module(module), name)
    fastpysgi.run(application, host="127.0.0.1", port=int(sys.argv[2]), loglevel=0)
