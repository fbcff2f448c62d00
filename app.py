"""The Chalice app: every handler of the products that KITH_PRODUCTS names. No logic."""

from chalice.app import Chalice

from chalicelib import registry
from chalicelib.core.config import config

app = registry.build(Chalice(app_name="kith"), config())
