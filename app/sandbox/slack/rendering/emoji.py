""":shortcodes: of the emoji used in deployment messages; others stay as written."""

import re
from typing import Final

from app.sandbox.slack.rendering.html import Html, safe, tag

TABLE: Final = {
    "+1": "👍",
    "-1": "👎",
    "alarm_clock": "⏰",
    "arrow_right": "➡️",
    "arrow_right_hook": "↪️",
    "arrows_counterclockwise": "🔄",
    "ballot_box_with_check": "☑️",
    "bell": "🔔",
    "thumbsdown": "👎",
    "thumbsup": "👍",
    "bird": "🐦",
    "black_large_square": "⬛",
    "blue_circle": "🔵",
    "bulb": "💡",
    "bust_in_silhouette": "👤",
    "calendar": "📆",
    "chart_with_upwards_trend": "📈",
    "checkered_flag": "🏁",
    "clipboard": "📋",
    "clock3": "🕒",
    "closed_lock_with_key": "🔐",
    "construction": "🚧",
    "eyes": "👀",
    "fire": "🔥",
    "green_circle": "🟢",
    "grey_question": "❔",
    "heavy_check_mark": "✔️",
    "hourglass": "⌛",
    "hourglass_flowing_sand": "⏳",
    "hourglass_not_done": "⏳",
    "ice_cube": "🧊",
    "information_source": "ℹ️",
    "key": "🔑",
    "large_blue_circle": "🔵",
    "large_blue_square": "🟦",
    "large_green_circle": "🟢",
    "large_green_square": "🟩",
    "large_orange_square": "🟧",
    "large_red_square": "🟥",
    "large_yellow_circle": "🟡",
    "large_yellow_square": "🟨",
    "leftwards_arrow_with_hook": "↩️",
    "link": "🔗",
    "lock": "🔒",
    "mag": "🔍",
    "mega": "📣",
    "memo": "📝",
    "no_entry": "⛔",
    "no_entry_sign": "🚫",
    "octagonal_sign": "🛑",
    "package": "📦",
    "pencil2": "✏️",
    "question": "❓",
    "raised_hand": "✋",
    "red_circle": "🔴",
    "repeat": "🔁",
    "rewind": "⏪",
    "robot_face": "🤖",
    "rocket": "🚀",
    "rotating_light": "🚨",
    "scroll": "📜",
    "shield": "🛡️",
    "snowflake": "❄️",
    "speech_balloon": "💬",
    "stopwatch": "⏱️",
    "sun_with_face": "🌞",
    "tada": "🎉",
    "test_tube": "🧪",
    "traffic_light": "🚥",
    "unlock": "🔓",
    "vertical_traffic_light": "🚦",
    "warning": "⚠️",
    "wave": "👋",
    "white_check_mark": "✅",
    "white_circle": "⚪",
    "white_large_square": "⬜",
    "wrench": "🔧",
    "x": "❌",
    "yellow_circle": "🟡",
    "zap": "⚡",
    "zzz": "💤",
}
_SHORTCODE: Final = re.compile(r"(:[a-z0-9_+\-]+:)")


def with_emoji(text: str) -> Html:
    """Escapes what is not markup, and renders the shortcodes."""
    parts = _SHORTCODE.split(safe(text))
    return Html("".join(_rendered(part) for part in parts))


def _rendered(part: str) -> str:
    found = TABLE.get(part[1:-1]) if part.startswith(":") else None
    if found is None:
        return part
    return tag(
        "span", {"class": "sl-emoji", "role": "img", "aria-label": part[1:-1].replace("_", " ")}, found
    )
