"""The peer of the case csv, whole: pandas reads the table, scikit-learn makes columns of it and descends. One process a call.

It says the log loss of held-out rows, the processor seconds since its start, and the most memory that it held. Without a file it says its version alone.
"""

import resource

from lines import missing, problem, say

try:
    import pandas
    import sklearn
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.linear_model import SGDClassifier
    from sklearn.metrics import log_loss
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
except ModuleNotFoundError as error:
    missing(error)

answer = {"version": f"pandas {pandas.__version__}, scikit-learn {sklearn.__version__} SGDClassifier"}
if "train" in problem:
    frame = pandas.read_csv(problem["train"])
    y = frame.pop("y")
    columns = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(), make_column_selector(dtype_include=object)),
    )
    descent = SGDClassifier(loss="log_loss", max_iter=problem["epochs"], tol=None, random_state=problem["seed"])
    model = make_pipeline(columns, descent).fit(frame, y)
    test = pandas.read_csv(problem["test"])
    test_y = test.pop("y")
    answer["loss"] = log_loss(test_y, model.predict_proba(test), labels=model.classes_)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    answer["seconds"] = usage.ru_utime + usage.ru_stime
    answer["mebibytes"] = usage.ru_maxrss / 1024
say(answer)
