"""How long the uplink waits for what. Seconds; tests hand in shorter ones."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Every waiting time of the uplink; the values are those of contract and design."""

    resolve_s: float = 3.0
    certificates_s: float = 3.0
    connect_s: float = 5.0  # TCP, and again the TLS handshake
    attempt_s: float = 20.0  # names, TCP, TLS and CONNACK together
    puback_s: float = 10.0
    pingresp_s: float = 10.0
    keepalive_s: int = 20
    session_expiry_s: int = 60
    will_delay_s: int = 15
    patience_s: float = 5.0  # an alarm without PUBACK, before the next broker is tried
    patience_most_s: float = 60.0
    retry_least_s: float = 0.5
    retry_most_s: float = 30.0
    stable_s: float = 30.0
    refused_s: float = 1.0
    refused_most_s: float = 15.0
    resend_alarm_s: float = 15.0
    resend_other_s: float = 60.0
    resend_most_s: float = 300.0
    proof_s: float = 30.0
    offline_after_s: float = 30.0
    duplicate_wait_s: float = 30.0
    bodies_s: float = 2.0  # reading events from the outbox
    picture_read_s: float = 2.0
    picture_harm_s: float = 15.0  # after a picture that was refused or cost the connection
    picture_harm_most_s: float = 300.0
    errand_s: float = 15.0  # for the video service to do what a command asks of it
