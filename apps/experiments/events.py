from apps.audit.codes import declare

EXPERIMENT_CREATED = declare("experiment.created", "created the experiment {object}")
