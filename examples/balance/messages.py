"""What the pole and its controller tell each other: all that joins them."""

import horus


class PoleState(horus.Message, topic="pole.state"):
    position: horus.f64 = horus.field(unit="m", doc="Of the cart on its rail.")
    angle: horus.f64 = horus.field(unit="rad", doc="Of the pole; 0 is upright.")
    velocity: horus.f64 = horus.field(unit="m/s")
    angular_velocity: horus.f64 = horus.field(unit="rad/s")
    step: horus.u64 = horus.field(default=0, doc="How many milliseconds were simulated.")
    over: horus.bool_ = horus.field(default=False, doc="The last one: the time is over, or the pole fell.")


class CartForce(horus.Message, topic="cart.force"):
    force: horus.f64 = horus.field(unit="N")
    step: horus.u64 = horus.field(default=0, doc="Of the state that it answers.")
