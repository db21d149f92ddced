"""People, what they may do where, and how they get in."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from workspaces.identifiers import new_id
from workspaces.scoping import Owned


class People(BaseUserManager["Person"]):
    def create_person(self, email: str, name: str, password: str) -> "Person":
        person = Person(email=email.strip().lower(), name=name)
        person.set_password(password)
        person.save()
        return person

    def get_by_natural_key(self, email: str | None) -> "Person":
        return self.get(email=(email or "").strip().lower())


class Mail(models.TextChoices):
    """When somebody wants to hear by mail of what happened or waits."""

    AT_ONCE = "at once"
    DAILY = "daily"
    NEVER = "never"


class Person(AbstractBaseUser):
    """Somebody who signs in, with an e-mail address and a password."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    # empty: not chosen
    language = models.CharField(max_length=2, blank=True, default="")
    time_zone = models.CharField(max_length=64, blank=True, default="")
    mail = models.CharField(max_length=7, choices=Mail.choices, default=Mail.DAILY)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects: ClassVar[Any] = People()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="person_email_whatever_its_case")]

    @property
    def languages(self) -> list[str]:
        """What to say something to this person in: all there are, where none was chosen."""
        return [self.language] if self.language else [language for language, _ in settings.LANGUAGES]

    def __str__(self) -> str:
        return self.name or self.email


class Role(models.TextChoices):
    """From the least to the most."""

    VIEWER = "viewer"
    ANALYST = "analyst"
    OPERATOR = "operator"
    ADMIN = "admin"


class SignsFor(models.TextChoices):
    BUSINESS = "business"
    FINANCE = "finance"
    DATA_SCIENCE = "data science"


class Rights(Owned):
    role = models.CharField(max_length=8, choices=Role.choices)
    signs_for = models.CharField(max_length=12, choices=SignsFor.choices, blank=True, default="")

    class Meta:
        abstract = True


class Membership(Rights):
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="memberships")
    since = models.DateTimeField()
    digest_due_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "person"], name="membership_once_a_person"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_is_known"),
            models.CheckConstraint(
                condition=models.Q(signs_for__in=["", *SignsFor.values]), name="membership_signs_for_is_known"
            ),
        ]

    def may(self, role: str) -> bool:
        """Whether this membership's role is at least the one given."""
        return Role.values.index(self.role) >= Role.values.index(role)


class Invitation(Rights):
    """A link that makes whoever opens it first a member; only its digest is kept."""

    token_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="invitation_role_is_known"),
        ]
