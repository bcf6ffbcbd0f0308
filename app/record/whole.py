"""The record as one replica holds it: every room of it, on one pool of connections."""

from uuid import UUID, uuid4

from app.record.announcements import Announcements
from app.record.card_copies import CardCopies
from app.record.cards import Cards
from app.record.channels import Channels
from app.record.checks import Checks
from app.record.database import Database
from app.record.deployers import Deployers
from app.record.evidence import EvidenceRows
from app.record.freezes import Freezes
from app.record.gates import Gates
from app.record.interventions import Interventions
from app.record.memberships import Memberships
from app.record.pool import REQUESTS, PoolSize
from app.record.previous_cards import PreviousCards
from app.record.probes import Probes
from app.record.questions import Questions
from app.record.reports import Reports
from app.record.retries import Retries
from app.record.switches import Switches
from app.record.threads import Threads
from app.record.waiting import WaitingGates


class Record:
    """Opens no connection before it is asked something. `replica` is who its leases name."""

    def __init__(self, url: str, *, replica: UUID | None = None, size: PoolSize = REQUESTS) -> None:
        owner = replica or uuid4()
        self.database = Database(url, size=size)
        self.gates = Gates(self.database)
        self.reports = Reports(self.database, owner)
        self.retries = Retries(self.database)
        self.switches = Switches(self.database, owner)
        self.interventions = Interventions(self.database, owner)
        self.evidence = EvidenceRows(self.database, owner)
        self.cards = Cards(self.database, owner)
        self.card_copies = CardCopies(self.database, owner)
        self.channels = Channels(self.database)
        self.threads = Threads(self.database, owner)
        self.announcements = Announcements(self.database, owner)
        self.previous_cards = PreviousCards(self.database)
        self.deployers = Deployers(self.database)
        self.checks = Checks(self.database)
        self.probes = Probes(self.database, owner)
        self.freezes = Freezes(self.database)
        self.questions = Questions(self.database)
        self.memberships = Memberships(self.database)
        self.waiting = WaitingGates(self.database)
