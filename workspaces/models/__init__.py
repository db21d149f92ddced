"""Who may see and do what, and the work that waits."""

from workspaces.models.api_key import SCOPES, ApiKey
from workspaces.models.audit_entry import AuditEntry
from workspaces.models.job import Job
from workspaces.models.people import Invitation, Membership, Person
from workspaces.models.quarantine import Quarantine
from workspaces.models.rate_window import RateWindow
from workspaces.models.workspace import Workspace

__all__ = [
    "SCOPES",
    "ApiKey",
    "AuditEntry",
    "Invitation",
    "Job",
    "Membership",
    "Person",
    "Quarantine",
    "RateWindow",
    "Workspace",
]
