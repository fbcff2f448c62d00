"""The Chalice app: every handler of the products that KITH_PRODUCTS names. No logic."""

import gc

# What is made while importing stays: looking for garbage in it takes a tenth of a cold start.
gc.disable()

from chalice.app import Chalice  # noqa: E402  the collector is off by now

from chalicelib import registry  # noqa: E402
from chalicelib.core.config import config  # noqa: E402

app = registry.build(Chalice(app_name="kith"), config())
gc.freeze()
gc.enable()
