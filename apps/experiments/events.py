from apps.audit.codes import declare
from apps.audit.links import declare_page

EXPERIMENT_CREATED = declare("experiment.created", "created the experiment {object}")
RUN_DELETED = declare("run.deleted", "put the run {object} into the trash")
RUN_RESTORED = declare("run.restored", "took the run {object} out of the trash")

declare_page("experiment", "/experiments/{id}/")
declare_page("run", "/runs/{id}/")
