"""What can be wrong with what the provider took for a checkout."""

from uuid import UUID


class OperatorNeeded(Exception):
    """What the provider has can't be applied, now or later: an operator has to look."""


class WrongAmount(OperatorNeeded):
    """The provider took another amount than was asked."""


class PaidTwice(Exception):
    """A checkout that is paid was paid by another payment as well, which has to go back."""

    def __init__(self, checkout_id: UUID, product: str, payment_id: str, amount: int) -> None:
        super().__init__("a second payment")
        self.checkout_id, self.product = checkout_id, product
        self.payment_id, self.amount = payment_id, amount
