"""The texts of Slack's client around messages and forms, in the reader's language."""

from typing import Final

from app.sandbox.slack.rendering.viewer import Viewer

_WORDS: Final = {
    "en": {
        "edited": "(edited)",
        "only_you": "Only visible to you",
        "app": "APP",
        "optional": "(optional)",
        "cancel": "Cancel",
        "replied": "replied to a thread:",
        "more": "More actions",
    },
    "ko": {
        "edited": "(편집됨)",
        "only_you": "나만 볼 수 있음",
        "app": "앱",
        "optional": "(선택 사항)",
        "cancel": "취소",
        "replied": "스레드에 댓글을 남겼습니다:",
        "more": "추가 작업",
    },
}


def words_of(viewer: Viewer) -> dict[str, str]:
    return _WORDS.get(viewer.locale, _WORDS["en"])
