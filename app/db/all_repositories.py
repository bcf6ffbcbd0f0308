"""All repositories and queries of one replica, on one connection pool."""

from uuid import UUID, uuid4

from app.db.database import Database
from app.db.engine import REQUESTS, PoolSize
from app.db.queries.home import HomeQueries
from app.db.queries.search import Queries
from app.db.repositories.checks import Checks
from app.db.repositories.deployers import Deployers
from app.db.repositories.evidence import EvidenceRows
from app.db.repositories.freezes import Freezes
from app.db.repositories.gates import Gates
from app.db.repositories.interventions import Interventions
from app.db.repositories.memberships import Memberships
from app.db.repositories.messages.announcements import Announcements
from app.db.repositories.messages.card_copies import CardCopies
from app.db.repositories.messages.cards import Cards
from app.db.repositories.messages.channel_announcements import ChannelAnnouncements
from app.db.repositories.messages.channels import Channels
from app.db.repositories.messages.direct_messages import DirectMessages
from app.db.repositories.messages.previous_cards import PreviousCards
from app.db.repositories.messages.threads import Threads
from app.db.repositories.probes import Probes
from app.db.repositories.reports import Reports
from app.db.repositories.retries import Retries
from app.db.repositories.stale_traffic import StaleTraffic
from app.db.repositories.subscriptions import Subscriptions
from app.db.repositories.switches import Switches


class Repositories:
    """Opens no connection before the first statement. `replica` is the owner of its leases."""

    def __init__(self, url: str, *, replica: UUID | None = None, size: PoolSize = REQUESTS) -> None:
        owner = replica or uuid4()
        self.database = Database(url, size=size)
        self.gates = Gates(self.database)
        self.reports = Reports(self.database, owner)
        self.retries = Retries(self.database)
        self.switches = Switches(self.database, owner)
        self.stale_traffic = StaleTraffic(self.database)
        self.interventions = Interventions(self.database, owner)
        self.evidence = EvidenceRows(self.database, owner)
        self.cards = Cards(self.database, owner)
        self.card_copies = CardCopies(self.database, owner)
        self.channels = Channels(self.database)
        self.threads = Threads(self.database, owner)
        self.announcements = Announcements(self.database, owner)
        self.channel_announcements = ChannelAnnouncements(self.database, owner)
        self.direct_messages = DirectMessages(self.database, owner)
        self.subscriptions = Subscriptions(self.database)
        self.previous_cards = PreviousCards(self.database)
        self.deployers = Deployers(self.database)
        self.checks = Checks(self.database)
        self.probes = Probes(self.database, owner)
        self.freezes = Freezes(self.database)
        self.queries = Queries(self.database)
        self.memberships = Memberships(self.database)
        self.home = HomeQueries(self.database)
