"""The AsyncAPI 3 document: channels, operations and messages, from the district's side. Pure."""

from typing import Any, Final

from gatehouse import events
from gatehouse.contract import EVENTS, messages
from gatehouse.contract_files import envelope, rules
from gatehouse.contract_files.described import plain
from gatehouse.contract_files.example_messages import all_messages
from gatehouse.contract_files.examples import all_events
from gatehouse.contract_files.schema_files import parts

Json = dict[str, Any]

_BINDING: Final = "0.2.0"
"""Of the MQTT bindings for AsyncAPI."""
_SCHEMAS: Final = "#/components/schemas/"
_PREFIX: Final = "gatehouse/v1/{gateway}/"
_ALARM_TYPES: Final = tuple(each for each in EVENTS if each.startswith("gatehouse.alarm."))
_EVENT_TYPES: Final = tuple(each for each in EVENTS if each not in _ALARM_TYPES)
_OTHERS: Final = (
    ("birth", messages.Birth),
    ("offline", messages.Offline),
    ("heartbeat", messages.Heartbeat),
    ("reply", messages.Reply),
    ("receipt", messages.Receipt),
    ("command", messages.Command),
)
_DATA: Final = [kind.data for kind in EVENTS.values()]
_GATEWAY: Final = {
    "description": "The gateway's id, `[a-z0-9-]{3,64}`: the common name of its certificate.",
    "examples": ["qd-sn-0042"],
}
_ALARM: Final = {
    "description": "Id of the alarm's `alarm.raised` event, or of the `snapshot` command."
}
_NUMBER: Final = {"description": "The picture's number, from 1.", "examples": ["1"]}


def document(version: str) -> Json:
    """Return the whole document."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:gatehouse:contract",
        "info": {
            "title": "Gatehouse: gateways and their district",
            "version": version,
            "description": rules.INFO,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"broker": _server()},
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "messages": _messages(),
            "schemas": {"Event": envelope.EVENT, **_schemas()},
            "securitySchemes": {
                "certificate": {
                    "type": "X509",
                    "description": "A client certificate of the district's authority.",
                }
            },
        },
    }


def _server() -> Json:
    return {
        "host": "a.example:8883",
        "protocol": "mqtts",
        "protocolVersion": "5",
        "description": rules.SERVER,
        "security": [{"$ref": "#/components/securitySchemes/certificate"}],
        "bindings": {
            "mqtt": {
                "cleanSession": False,
                "maximumPacketSize": 131_072,
                "bindingVersion": _BINDING,
            }
        },
    }


def _channels() -> Json:
    return {
        "state": _channel("state", rules.STATE, "birth", "offline"),
        "alarm": _channel("up/alarm", rules.ALARM, *map(_name, _ALARM_TYPES), "line.fault"),
        "event": _channel("up/event", rules.EVENT, *map(_name, _EVENT_TYPES)),
        "picture": {
            **_channel("up/picture/{alarm}/{n}", rules.PICTURE, "picture"),
            "parameters": {"gateway": _GATEWAY, "alarm": _ALARM, "n": _NUMBER},
        },
        "telemetry": _channel("up/telemetry", rules.TELEMETRY, "heartbeat"),
        "reply": _channel("up/reply", rules.REPLY, "reply"),
        "receipt": _channel("down/receipt", rules.RECEIPT, "receipt"),
        "command": _channel("down/command", rules.COMMAND, "command"),
    }


def _channel(leaf: str, description: str, *said: str) -> Json:
    return {
        "address": _PREFIX + leaf,
        "description": plain(description),
        "parameters": {"gateway": _GATEWAY},
        "messages": {_key(name): {"$ref": f"#/components/messages/{_key(name)}"} for name in said},
    }


def _operations() -> Json:
    answer = {"channel": {"$ref": "#/channels/reply"}}
    return {
        "hearState": _operation("receive", "state", "Know who is there", retain=True),
        "hearAlarm": _operation("receive", "alarm", "Store alarms, send their receipts"),
        "hearEvent": _operation("receive", "event", "Store events, send their receipts"),
        "hearPicture": _operation("receive", "picture", "Keep pictures", expires_s=3600),
        "hearHeartbeat": _operation("receive", "telemetry", "Notice who is silent", qos=0),
        "hearReply": _operation("receive", "reply", "Learn what became of a command"),
        "sendReceipt": _operation("send", "receipt", "Say what is on the district's disk"),
        "sendCommand": {**_operation("send", "command", "Ask for something"), "reply": answer},
    }


def _operation(
    action: str,
    channel: str,
    summary: str,
    *,
    qos: int = 1,
    retain: bool = False,
    expires_s: int | None = None,
) -> Json:
    expiry = {} if expires_s is None else {"messageExpiryInterval": expires_s}
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "bindings": {"mqtt": {"qos": qos, "retain": retain, **expiry, "bindingVersion": _BINDING}},
    }


def _messages() -> Json:
    examples = all_messages()
    found = {_key(_name(type_)): _event(type_) for type_ in EVENTS}
    for name, kind in _OTHERS:
        found[name] = {
            "name": name,
            "title": kind.__name__,
            "summary": plain(kind.__doc__ or "").partition("\n")[0],
            "contentType": "application/json",
            "payload": {"$ref": _SCHEMAS + kind.__name__},
            "examples": [{"payload": each} for each in examples[name]],
        }
    for name in ("command", "reply"):
        found[name]["correlationId"] = {"location": "$message.payload#/id"}
    found["picture"] = {
        "name": "picture",
        "title": "Picture",
        "summary": "A JPEG of at most 60 kB.",
        "contentType": "image/jpeg",
        "payload": {"type": "string", "format": "binary", "maxLength": 60_000},
    }
    return found


def _event(type_: str) -> Json:
    kind = EVENTS[type_]
    payload = {
        "allOf": [
            {"$ref": _SCHEMAS + "Event"},
            {"type": "object", "properties": envelope.of_type(type_, kind, _SCHEMAS)},
        ]
    }
    return {
        "name": type_,
        "title": _name(type_),
        "summary": plain(kind.data.__doc__ or "").partition("\n")[0],
        "contentType": events.CONTENT_TYPE,
        "payload": payload,
        "examples": [{"payload": each} for each in all_events() if each["type"] == type_],
    }


def _schemas() -> Json:
    return parts([*_DATA, *(kind for _, kind in _OTHERS)], _SCHEMAS)


def _name(type_: str) -> str:
    return type_.removeprefix("gatehouse.")


def _key(name: str) -> str:
    """Return a name as AsyncAPI takes it for a key: generators make identifiers of them."""
    return name.replace(".", "-")
