"""What a district's developer must know and no schema can say (contract sections 3 and 4)."""

from typing import Final

INFO: Final = """\
What the gateways of Gatehouse and a district say to each other, over MQTT 5. This document is
written from the district's side: `receive` is what gateways say, `send` is what the district says.
It is made from the types that the software itself uses.

**Storing.** Store an event by its `id`, durably, and only then send a receipt with that id on
`down/receipt`. A PUBACK is no storage and ends nothing: a gateway sends an event again, also after
days, until its receipt comes. So events come more than once; the second one gets a receipt too.
Send receipts for everything that is on your disk, also for events that are odd or of a type you do
not know: an event without a receipt holds up its gateway's outbox.

**What is lacking.** `store` is one outbox; `sequence` is `<start>.<count>` within it. `start`
counts the starts of the alarm service, `count` the durable events of that start, from 1 and without
gaps. The first event of a start is `gateway.started`; its `previous` is the last durable number of
the start before: all numbers up to it were durable and are waited for, those above it were not and
are not (an alarm is sent beside its commit). A start from 50000000 on is random, as its
number could not be stored: it has no order. Events do not arrive in order: live alarms go first.

**Who is there.** `state` is retained: a birth on connecting, `online: false` by the gateway itself
on an orderly stop, or by the broker as its last will, 15 s after it was lost. A will may come late,
after the next birth: it counts only if its `store`, `start` and `connection` are those of the
newest birth. A gateway without a heartbeat for three intervals is silent, whatever `state` says.

**Time.** An event whose `clock` is `unsynced` may carry a wrong `time`. `clock.corrected` with the
same `bootid` gives `offset_s`, to be added to it. Within one boot, `monotonic` (CLOCK_BOOTTIME, ns)
always orders and measures.

**Commands.** Each has an `id` that is never used again, and `expires`, at most 24 hours ahead. What
is expired, replayed, unknown or malformed is refused: with a reason in the reply and a
`command.refused`. Send a command again only with the same `id`: whoever gets `replayed` knows that
it was heard before. Nothing remote starts a drill, resets an alarm or disarms a button.

**Newer gateways** may send fields, faults and types that are not here: ignore what you do not know,
but store it and send its receipt. What a gateway says of itself (names, places, texts) is a
stranger's word: escape it wherever it is shown.
"""

SERVER: Final = """\
The district's broker. MQTT 5 over TLS with client certificates; a gateway's client id and the
common name of its certificate are its id, and it may write `up/#` and `state` and read `down/#` of
its own prefix only. A gateway's session lives for 60 s, its will waits for 15 s, its packets are
128 KiB at most. The district's own session should be kept for days (clean start off), so that the
broker collects what comes while it is down. Gateways also write `up/selftest` when they try these
rules: ignore it.
"""

STATE: Final = """\
Whether the gateway is there. Retained: subscribe and you know at once.
"""
ALARM: Final = """\
Every `alarm.*` event, and `line.fault` `open`, which may be a press through a cut conductor. Never
expires, never dropped. Alarms go before everything else.
"""
EVENT: Final = """\
Every other durable event. Never expires; in a full outbox reports give way first, alarms never, and
the fault `outbox-full` says so.
"""
PICTURE: Final = """\
Picture `n` (from 1) of an alarm: a JPEG of at most 60 kB. Behind all events and only for an hour:
the bundle on the gateway has them all. `evidence.ready` says which camera and when. The picture
that a `snapshot` asked for comes as number 1 under the command's id.
"""
TELEMETRY: Final = """\
A heartbeat every `heartbeat_s` (20 s). QoS 0: worth nothing later.
"""
REPLY: Final = """\
The answer to a command, with the command's correlation data if it had any.
"""
RECEIPT: Final = """\
Which events are on the district's disk: after the commit, never before. Only this ends an event.
Many ids in one message are welcome, up to 128 KiB. (A gateway configured with `receipts = false`
takes a PUBACK 0x00 instead.)
"""
COMMAND: Final = """\
What a person at the district asks for. An answered alarm makes the gatehouse's lamp steady;
acknowledging one alarm acknowledges the older ones of that button.
"""
