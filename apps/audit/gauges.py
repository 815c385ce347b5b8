from __future__ import annotations

from apps.audit.sealing import newest_head
from apps.core.monitoring import declare_gauge


def _sealed() -> float:
    head = newest_head()
    return head.sequence if head else 0


declare_gauge("slipway_audit_sealed_sequence", "The last place of the audit chain.", _sealed)
