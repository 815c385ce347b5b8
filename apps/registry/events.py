from apps.audit.codes import declare
from apps.audit.links import declare_page

MODEL_CREATED = declare("registered_model.created", "created the registered model {object}")
MODEL_RENAMED = declare("registered_model.renamed", "renamed a registered model to {object}")
MODEL_DESCRIBED = declare("registered_model.described", "changed the description of the model {object}")
MODEL_DELETED = declare("registered_model.deleted", "deleted the registered model {object} with its versions")
MODEL_TAG_SET = declare("registered_model.tag_set", "set the tag {note} of the model {object}")
MODEL_TAG_DELETED = declare("registered_model.tag_deleted", "removed the tag {note} of the model {object}")
MODEL_IMPORTED = declare("registered_model.imported", "brought the model {object} over with {note} versions")

VERSION_CREATED = declare("model_version.created", "registered {object}")
VERSION_DESCRIBED = declare("model_version.described", "changed the description of {object}")
VERSION_DELETED = declare("model_version.deleted", "deleted {object}")
VERSION_TAG_SET = declare("model_version.tag_set", "set the tag {note} of {object}")
VERSION_TAG_DELETED = declare("model_version.tag_deleted", "removed the tag {note} of {object}")
VERSION_MOVED = declare("model_version.moved", "moved {object} {note}")
VERSION_ARCHIVED = declare("model_version.archived", "archived {object}, since another version took its place")

ALIAS_SET = declare("alias.set", "let the alias {note} point at {object}")
ALIAS_DELETED = declare("alias.deleted", "removed the alias {note} of {object}")

COMMENT_ADDED = declare("comment.added", "commented on {object}")
COMMENT_CHANGED = declare("comment.changed", "changed a comment on {object}")
COMMENT_DELETED = declare("comment.deleted", "deleted a comment on {object}")
CHECK_REPORTED = declare("check.reported", "reported the check {note} of {object}")

REQUEST_MADE = declare("promotion_request.made", "asked that {object} enter {note}")
REQUEST_APPROVED = declare("promotion_request.approved", "approved that {object} enter {note}")
REQUEST_APPLIED = declare("promotion_request.applied", "let {object} enter {note}: the approvals are complete")
REQUEST_REJECTED = declare("promotion_request.rejected", "rejected that {object} enter {note}")
REQUEST_CANCELLED = declare("promotion_request.cancelled", "took back the request that {object} enter {note}")
REQUEST_EXPIRED = declare("promotion_request.expired", "let the request that {object} enter {note} run out")
REQUEST_SUPERSEDED = declare("promotion_request.superseded", "ended the request that {object} enter {note}: overtaken")
REQUEST_RESTARTED = declare("promotion_request.restarted", "restarted the request that {object} enter {note}")
GLASS_BROKEN = declare("override.made", "went past the policy with {object}: {note}")
GLASS_REVIEWED = declare("override.reviewed", "reviewed how {object} went past the policy")

POLICY_SET = declare("policy.set", "set the policy of {object}")
POLICY_DELETED = declare("policy.deleted", "removed the policy of {object}")
GROUP_CREATED = declare("approver_group.created", "created the group of approvers {object}")
GROUP_CHANGED = declare("approver_group.changed", "changed the group of approvers {object}")
GROUP_DELETED = declare("approver_group.deleted", "deleted the group of approvers {object}")

declare_page("registered_model", "/registered-models/{id}/")
declare_page("model_version", "/model-versions/{id}/")
declare_page("policy", "/settings/policies/{id}/")
declare_page("approver_group", "/settings/approvers/")
declare_page("override", "/settings/overrides/")
