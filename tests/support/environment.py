"""What the environment says while tests run; set before the program is imported."""

import base64
import os

WEBHOOK_SECRET = "whsec_tests"
STRIPE_KEY = "sk_test_kith"

VARIABLES = {
    "KITH_PRODUCTS": "all",
    "KITH_TOKEN_KEYS": f"test:{base64.urlsafe_b64encode(b'k' * 32).decode()}",
    "KITH_MASTER_KEY": base64.b64encode(b"m" * 32).decode(),
    "KITH_CHECK_ANSWERS": "1",
    "KITH_ADMIN_EMAIL": "admin@kith.example",
    "KITH_QUEUE_URL": "http://127.0.0.1:9/000000000000/",
    "STRIPE_API_KEY": STRIPE_KEY,
    "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def apply() -> None:
    """Set what the program needs to be imported."""
    os.environ.update(VARIABLES)
