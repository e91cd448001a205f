"""Answers as TOML text: the commented configuration, and the answers file beside it. Pure."""

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from gatehouse.setup.answers import SETUP, Found, Wishes

_HEAD: Final = """\
# Gatehouse 一键报警网关配置，由 gatehouse setup 写成 · written by gatehouse setup
#
# 其余可写的项见示例 · everything else that may stand here: /usr/share/gatehouse/gateway.toml
# 修改后请检查并重启服务 · after a change, check it and restart the services:
#
#     gatehouse config check
#     systemctl restart gatehouse.target
#
# GPIO 一律用 BCM 编号（0-27），一个引脚只能用一次。
# Pins are GPIO (BCM) numbers, 0 to 27; each is used once.
"""
_ANSWERS_HEAD: Final = """\
# gatehouse setup 的回答，不含任何密码与密钥 · the answers of gatehouse setup; no secret is in here
# 请另存一份。更换主机或存储卡后，将其与证书放在同一文件夹：
# Keep a copy elsewhere. On a new gateway or card, with the certificates in the same folder:
#
#     gatehouse setup --answers gateway.answers.toml
"""
_TITLES: Final = {
    "gateway": "网关 · the gateway itself",
    "button": "一键报警按钮 · a panic button",
    "enclosure": "机箱输入，接地为正常 · inputs of the box, closed to ground = well",
    "district": "平台 · the district",
    "camera": "摄像机 · a camera",
    "retention": "保存时间 · how long recordings stay",
    "evidence": "证据 · what is kept around an alarm",
}
COMMENTS: Final = {
    "gateway.id": "网关编号，与证书名一致 · topic level and certificate name",
    "gateway.school": "学校名称 · name of the school",
    "gateway.language": "界面语言 zh_CN 或 en · language of texts",
    "gateway.state_dir": "待上传事件、证据 · outbox and evidence",
    "gateway.runtime_dir": "控制套接字 · control socket",
    "button.name": "按钮编号 · short name",
    "button.location": "安装位置，平台可见 · where it is, as the district reads it",
    "button.pin": "常开触点，按下接地 · normally-open contact, closing to ground",
    "button.loop": "同一按钮的常闭触点，用于断路检测 · its normally-closed contact",
    "button.latching": "自锁按钮（钥匙复位）为 true · true: stays in until turned back",
    "button.reset": "复位钥匙开关 · reset key switch",
    "button.lamps": "指示灯 · lamps",
    "button.buzzer": "蜂鸣器 · buzzer",
    "button.silent": "报警时现场无声 · true: no sound at the button in an alarm",
    "button.relay": "干接点，接入原有报警主机 · dry contact to an existing alarm host",
    "button.cameras": "报警时取证的摄像机 · cameras whose pictures belong to this button",
    "button.filter_ms": "短于此的脉冲不算按下，毫秒 · shorter pulses are no press, ms",
    "button.debounce_ms": "断开持续此时长才算松开，毫秒 · open this long ends a press, ms",
    "button.changeover_ms": "两触点同时断开超过此值算断路，毫秒 · both open longer: a cut wire, ms",
    "enclosure.tamper": "防拆开关 · lid switch",
    "enclosure.mains": "市电正常信号 · mains present, from the power supply",
    "district.brokers": "依次尝试 · tried in order",
    "district.ca": "平台的根证书 · the district's authority",
    "district.cert": "本网关的证书 · this gateway's certificate",
    "district.key": "本网关的私钥 · this gateway's key",
    "district.receipts": "平台不发回执时为 false · false: the district sends none",
    "district.heartbeat_s": "心跳间隔，秒 · seconds between heartbeats",
    "district.enrol": "续签证书的网址 · where the next certificate is asked for",
    "camera.name": "摄像机编号 · short name",
    "camera.covers": "覆盖的部位 · places that it sees",
    "camera.area": "重点部位 critical，一般部位 general · sets how long recordings stay",
    "camera.source": "picamera2:N 或 rtsp 网址，不得写密码 · never a password in here",
    "camera.credential": "文件内写“用户名:密码” · file that holds user:password",
    "camera.recordings": "录像文件夹 · folder of its recordings",
    "camera.record": "由其他录像机写入时为 false · false: another recorder writes there",
    "camera.min_lines": "画面最少行数 · fewest lines of its picture",
    "camera.onvif_port": "ONVIF 端口 · where it speaks ONVIF",
    "retention.general_days": "一般部位，天 · general areas, days",
    "retention.critical_days": "重点部位，天 · critical areas, days",
    "retention.min_free_percent": "磁盘预留空间，百分比 · part of the disk kept free, percent",
    "retention.gap_seconds": "超过此秒数算录像缺失 · more seconds than this are a gap",
    "retention.on_full": "oldest，或 stop 宁停不删 · or stop: never delete under the floor",
    "evidence.max_mb": "证据最多占用，MB · room for evidence, MB",
}
_COMMENT_AT: Final = 36


def configuration(found: Found) -> str:
    """Write the commented configuration."""
    return _HEAD + "\n" + "\n".join(_sections(found, commented=True))


def answers(found: Found, wishes: Wishes) -> str:
    """Write the answers, to be given to another gateway in this one's place."""
    wished = {key: value for key, value in asdict(wishes).items() if value is not None}
    both = {**found, SETUP: wished} if wishes.any else found
    return _ANSWERS_HEAD + "\n" + "\n".join(_sections(both, commented=False))


def _sections(found: Mapping[str, Any], *, commented: bool) -> Iterator[str]:
    for section in (*_TITLES, SETUP):
        value = found.get(section)
        if not value:
            continue
        tables, head = (value, f"[[{section}]]") if isinstance(value, list) else ([value], None)
        for table in tables:
            lines = [f"# {_TITLES[section]}"] if commented else []
            lines += [head or f"[{section}]", *_lines(section, table, commented=commented)]
            yield "\n".join(lines) + "\n"


def _lines(section: str, table: Mapping[str, Any], *, commented: bool) -> Iterable[str]:
    known = [key.partition(".")[2] for key in COMMENTS if key.startswith(f"{section}.")]
    order = [key for key in known if key in table] + [key for key in table if key not in known]
    for key in order:
        line = f"{key} = {value(table[key])}"
        comment = COMMENTS.get(f"{section}.{key}") if commented else None
        yield line if comment is None else f"{line}{_room(line)}# {comment}"


def value(said: Any) -> str:  # noqa: ANN401  # what TOML can hold
    """Write one value; what passed the checks holds no control characters and no odd types."""
    if isinstance(said, bool):
        return "true" if said else "false"
    if isinstance(said, str):
        return json.dumps(said, ensure_ascii=False)
    if isinstance(said, list):
        return f"[{', '.join(value(each) for each in said)}]"
    if isinstance(said, dict):
        return f"{{ {', '.join(f'{key} = {value(each)}' for key, each in said.items())} }}"
    return repr(said)


def _room(line: str) -> str:
    wide = sum(1 + (unicodedata.east_asian_width(c) in {"W", "F"}) for c in line)
    return " " * max(2, _COMMENT_AT - wide)
