"""`/deploys notify …`: whether somebody gets a direct message when a gate waits that they can decide."""

from collections.abc import Callable, Sequence
from datetime import datetime

from app.config.reserved_words import ALL, ME, OFF
from app.flow.notify.subscriptions import Subscription, SubscriptionRepository, recipients_of
from app.flow.ports.rules import Rules
from app.gate.ids import DomainName
from app.i18n.catalog import Texts
from app.slack.text.freezes import domains_text
from app.slack.text.suggestions import named_domains, unknown_names_text
from app.slack.users.accounts import Profile
from app.workers.wakeups import Wakeups


class NotifyCommand:
    """Replies are ephemeral."""

    def __init__(
        self,
        *,
        repository: SubscriptionRepository,
        rules: Rules,
        wakeups: Wakeups,
        clock: Callable[[], datetime],
    ) -> None:
        self._repository = repository
        self._rules = rules
        self._wakeups = wakeups
        self._clock = clock

    async def answer(self, words: Sequence[str], *, profile: Profile, texts: Texts) -> str:
        """`notify`, `notify me`, `notify me order payment`, `notify off`."""
        match [word.lower() for word in words]:
            case []:
                return await self._state(profile, texts)
            case [own] if own == OFF:
                await self._repository.remove(profile.person.user)
                return texts("notify.off")
            case [own, *_] if own == ME:
                return await self._subscribe(words[1:], profile, texts)
            case _:
                return texts("notify.how_to")

    async def _state(self, profile: Profile, texts: Texts) -> str:
        found = await self._repository.get(profile.person.user)
        said = self._on(found, texts) if found else texts("notify.off")
        return f"{said}\n{texts('notify.how_to')}"

    async def _subscribe(self, words: Sequence[str], profile: Profile, texts: Texts) -> str:
        named = named_domains(words)
        domains = None if not named or named == (ALL,) else named
        unknown = [name for name in domains or () if self._rules.domain(name) is None]
        if unknown:
            names = unknown_names_text(unknown, rules=self._rules, texts=texts)
            return texts("policy.unknown", names=names)
        wanted = Subscription(person=profile.person.user, domains=domains, locale=profile.locale)
        if not self._decides(wanted):
            return texts("notify.decides_nothing", domains=domains_text(domains, texts))
        await self._repository.put(wanted, now=self._clock())
        self._wakeups.notify("subscription_changed")
        return self._on(wanted, texts)

    def _on(self, subscription: Subscription, texts: Texts) -> str:
        decides = self._decides(subscription)
        if not decides:
            return texts("notify.on_in_vain")
        return texts("notify.on", domains=domains_text(decides, texts))

    def _decides(self, subscription: Subscription) -> list[DomainName]:
        found = recipients_of(subscription, rules=self._rules, now=self._clock())
        return [recipient.domain for recipient in found]
