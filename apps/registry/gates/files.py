"""Gates about the files of a version: what its `MLmodel` says. Whoever reads the version may read them."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.errors import InvalidInput
from apps.core.paths import ArtifactPath
from apps.registry.gates.base import Gate, Params, Verdict, failed, passed
from apps.registry.gates.docket import Case, Docket
from apps.registry.mlmodel import BrokenMLmodel, InputExample
from apps.registry.models import ModelVersion


class SignatureGate(Gate):
    """The model says what it takes and what it gives."""

    kind = "signature"
    title = gettext_lazy("Signature is there")
    help = gettext_lazy("The MLmodel file says what the model takes and what it gives.")
    reads_files = True

    def describe(self, params: Params) -> str:
        return _("has a signature")

    def judge(self, case: Case, params: Params, docket: Docket) -> Verdict:
        try:
            signature = docket.files.mlmodel(case.version).signature
        except BrokenMLmodel as error:
            return failed(str(error))
        if signature is None or not (signature.inputs and signature.outputs):
            return failed(_("The MLmodel file has no signature with inputs and outputs"))
        inputs, outputs = len(signature.inputs), len(signature.outputs)
        text = _("Inputs: %(inputs)s, outputs: %(outputs)s") % {"inputs": inputs, "outputs": outputs}
        return passed(text, inputs=inputs, outputs=outputs)


class InputExampleGate(Gate):
    """The model carries an example of its input, so that readers can try it."""

    kind = "input_example"
    title = gettext_lazy("Input example is there")
    help = gettext_lazy("The model was logged with an example of its input.")
    reads_files = True

    def describe(self, params: Params) -> str:
        return _("has an input example")

    def judge(self, case: Case, params: Params, docket: Docket) -> Verdict:
        try:
            example = docket.files.mlmodel(case.version).input_example
        except BrokenMLmodel as error:
            return failed(str(error))
        if example is None:
            return failed(_("The MLmodel file names no input example"))
        if not _is_there(case.version, example, docket):
            return failed(_("The input example that the MLmodel file names is not among the files"))
        return passed(_("There is one: %(path)s") % {"path": example.path}, path=example.path)


def _is_there(version: ModelVersion, example: InputExample, docket: Docket) -> bool:
    try:
        return docket.files.has(version, ArtifactPath.parse(example.path))
    except InvalidInput:
        return False
