from apps.audit.codes import declare
from apps.audit.links import declare_page

EXPERIMENT_CREATED = declare("experiment.created", "created the experiment {object}")
EXPERIMENT_RENAMED = declare("experiment.renamed", "renamed an experiment to {object}")
EXPERIMENT_DELETED = declare("experiment.deleted", "put the experiment {object} with its runs into the trash")
EXPERIMENT_RESTORED = declare("experiment.restored", "took the experiment {object} with its runs out of the trash")
EXPERIMENT_TAG_SET = declare("experiment.tag_set", "set the tag {note} of the experiment {object}")
EXPERIMENT_TAG_DELETED = declare("experiment.tag_deleted", "removed the tag {note} of the experiment {object}")
LOGGED_MODEL_DELETED = declare("logged_model.deleted", "put the logged model {object} into the trash")
EXPERIMENT_PURGED = declare("experiment.purged", "removed the experiment {object} for good")
LOGGED_MODELS_PURGED = declare("logged_model.purged", "removed {note} logged models of {object} for good")
RUNS_PURGED = declare("run.purged", "removed {note} runs of the experiment {object} for good")
RUN_DELETED = declare("run.deleted", "put the run {object} into the trash")
RUN_RESTORED = declare("run.restored", "took the run {object} out of the trash")
EXPERIMENT_IMPORTED = declare("experiment.imported", "brought the experiment {object} over, which was {note} elsewhere")
RUNS_IMPORTED = declare("run.imported", "brought {note} runs over into the experiment {object}")
RUNS_MENDED = declare("run.import_mended", "brought over what was missing of {note} runs of the experiment {object}")
LOGGED_MODELS_IMPORTED = declare("logged_model.imported", "brought {note} logged models over into {object}")

declare_page("experiment", "/experiments/{id}/")
declare_page("run", "/runs/{id}/")
