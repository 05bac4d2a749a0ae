"""Certificates: which one is asked for. What they say is a format of its own, see file formats."""

from typing import Annotated

from msgspec import UNSET

from solvent.service.api.objects.base import U64, Maybe, Request, says


class CertificateQuery(Request):
    """Which certificate."""

    number: Annotated[Maybe[U64], says("Its number, from 1; the latest if absent.", 1)] = UNSET
