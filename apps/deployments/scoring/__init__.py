"""The scoring server: a program of its own, which runs in the environment of the model and never in Slipway's.

It imports the standard library, what an MLflow model's environment has, and httptools, uvloop and orjson.
Nothing of Slipway or Django. Its source is Python 3.9's, since environments of models may be old.

    launch       the script that starts it; master: binds, loads, forks workers and replaces them
    worker       one process: a loop for connections (http), lanes of threads for predictions
    service      what each address answers; invocations and openinference: bodies in, answers out
    model        the loaded model, with MLflow's own parsing and enforcement; fast: the same answers in less time
"""
