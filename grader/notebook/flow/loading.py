"""Where data comes from: Keras data sets, the course's `MNISTDataset`, files, `tf.data` pipelines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from grader.notebook.facts import Part
from grader.notebook.flow.chains import Origin
from grader.notebook.flow.merging import as_data, merge, text_of, truth, whole_number_of
from grader.notebook.flow.state import State
from grader.notebook.flow.tables import dataset_of, last_of
from grader.notebook.flow.values import NUMBER, UNKNOWN, Const, Data, Items, Stream, Table, Thing, Value

COURSE_HELPER = "datasets.MNISTDataset"
_FILE_READERS = {
    "np.load", "np.genfromtxt", "np.loadtxt", "np.fromfile", "np.frombuffer", "pandas.read_csv",
    "pandas.read_pickle", "pickle.load", "scipy.io.loadmat", "sklearn.datasets.fetch_openml",
    "sklearn.datasets.load_digits", "torchvision.datasets.MNIST", "torchvision.datasets.FashionMNIST",
    "datasets.load_dataset", "mnist.train_images", "mnist.train_labels", "mnist.test_images",
    "mnist.test_labels",
}  # fmt: skip


def some(dataset: str, part: Part, role: str = "") -> Data:
    """Data of a data set."""
    return Data(origins=frozenset({Origin(dataset, part, role)}))


def _parts(dataset: str) -> Items:
    def pair(part: Part) -> Items:
        return Items([some(dataset, part, "x"), some(dataset, part, "y")], is_tuple=True)

    return Items([pair(Part.TRAIN), pair(Part.TEST)], is_tuple=True)


def load(state: State, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value | None:
    """The data that a library call loads, None when the call loads nothing."""
    if last_of(name) == "load_data" and ".datasets." in name:
        dataset = name.split(".")[-2]
        state.loaded(dataset, name)
        return _parts(dataset)
    if last_of(name) == "MNISTDataset":
        return _course_helper(state, name, args, kwargs)
    if name in ("tensorflow_datasets.load", "tfds.load"):
        return _tfds(state, args, kwargs)
    if last_of(name) == "read_data_sets":
        state.loaded("mnist", name)
        return Thing(name, list(args), dict(kwargs))
    if name in _FILE_READERS:
        return _file(state, name, args, kwargs)
    return None


def _file(state: State, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    words = " ".join([name, *(text_of(value) or "" for value in (*args, *kwargs.values()))])
    dataset = dataset_of(words)
    state.loaded(dataset, name)
    part = Part.UNKNOWN
    if "train" in words.lower() or truth(kwargs.get("train", NUMBER)) is True:
        part = Part.TRAIN
    elif "test" in words.lower() or truth(kwargs.get("train", NUMBER)) is False:
        part = Part.TEST
    if truth(kwargs.get("return_X_y", NUMBER)):
        return Items([some(dataset, part, "x"), some(dataset, part, "y")], is_tuple=True)
    if name.startswith("torchvision."):
        return Stream(Items([some(dataset, part, "x"), some(dataset, part, "y")], is_tuple=True))
    return some(dataset, part)


def _course_helper(state: State, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    names = ("train_data", "train_labels", "test_data", "test_labels")
    fallback = (
        some("mnist", Part.TRAIN, "x"),
        some("mnist", Part.TRAIN, "y"),
        some("mnist", Part.TEST, "x"),
        some("mnist", Part.TEST, "y"),
    )
    thing = Thing(COURSE_HELPER, list(args), dict(kwargs))
    for index, (attribute, assumed) in enumerate(zip(names, fallback, strict=True)):
        given = args[index] if index < len(args) else None
        given = kwargs.get(attribute, given)
        thing.state[attribute] = as_data(given) if given is not None else assumed
    if not args and not kwargs:
        state.loaded("mnist", name)
    return thing


def course_helper_attribute(thing: Thing, name: str) -> Value | None:
    """An attribute of the course's `MNISTDataset`."""
    return thing.state.get(name, NUMBER)


def course_helper_batch(thing: Thing, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """What its `next_batch(n)` gives: images and labels of the training part."""
    size = whole_number_of(args[0] if args else kwargs.get("batch_size"))
    images = replace(as_data(thing.state.get("train_data", NUMBER)), batch=size)
    labels = replace(as_data(thing.state.get("train_labels", NUMBER)), batch=size)
    return Items([images, labels], is_tuple=True)


def _tfds(state: State, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    dataset = text_of(args[0] if args else kwargs.get("name")) or ""
    dataset = dataset_of(dataset) or dataset
    state.loaded(dataset, "tfds.load")
    is_pair = bool(truth(kwargs.get("as_supervised", Const(False))))
    is_whole = kwargs.get("batch_size")
    split: Value = kwargs.get("split", args[1] if len(args) > 1 else Const(None))

    def stream(part: Part) -> Value:
        x, y = some(dataset, part, "x"), some(dataset, part, "y")
        element: Value = Items([x, y], is_tuple=True) if is_pair else Table({"image": x, "label": y})
        return element if is_whole is not None and whole_number_of(is_whole) == -1 else Stream(element)

    def of(text: str | None) -> Value:
        lowered = (text or "").lower()
        is_both = "train" in lowered and "test" in lowered
        part = Part.TEST if "test" in lowered else Part.TRAIN if "train" in lowered else Part.UNKNOWN
        if part is Part.TRAIN and "[" in lowered and "[:" not in lowered:
            part = Part.VALIDATION
        return stream(Part.UNKNOWN if is_both else part)

    result: Value
    if isinstance(split, Items):
        result = Items([of(text_of(item)) for item in split.items], is_tuple=True)
    elif text_of(split) is not None:
        result = of(text_of(split))
    else:
        result = Table({"train": stream(Part.TRAIN), "test": stream(Part.TEST)})
    if truth(kwargs.get("with_info", Const(False))):
        return Items([result, Thing("tfds.core.DatasetInfo", [], {})], is_tuple=True)
    return result


def split_apart(args: Sequence[Value]) -> Items:
    """scikit-learn's `train_test_split`: for each argument a part to train on and one to test on."""
    items: list[Value] = []
    for arg in args:
        data = as_data(arg)
        known = any(origin.part is Part.TRAIN for origin in data.origins)
        second = Part.VALIDATION if known else Part.TEST
        items += [_as_part(data, Part.TRAIN), _as_part(data, second)]
    return Items(items, is_tuple=True)


def _as_part(data: Data, part: Part) -> Data:
    return replace(data, origins=frozenset(Origin(o.dataset, part, o.role) for o in data.origins))


def named(name: str, value: Value) -> Value:
    """A value bound to a name: data of an unknown part is taken to be what its name says it is.

    A slice of the training data that is called validation data is not training data any more.
    """
    if not isinstance(value, Data) or not value.origins:
        return value
    words = name.lower()
    parts = {origin.part for origin in value.origins}
    if parts == {Part.UNKNOWN}:
        if "test" in words:
            return _as_part(value, Part.TEST)
        if "train" in words:
            return _as_part(value, Part.TRAIN)
    held_out = "test" in words or "val" in words.replace("value", "")
    if held_out and parts <= {Part.UNKNOWN, Part.TRAIN} and value.chain is None:
        return _as_part(value, Part.VALIDATION)
    return value


def pipeline(name: str, args: Sequence[Value]) -> Stream:
    """A `tf.data.Dataset` made by one of its constructors."""
    last = last_of(name)
    source: Value = args[0] if args else UNKNOWN
    if last in ("from_tensor_slices", "from_tensors"):
        return Stream(source)
    if last == "zip":
        inner = source if isinstance(source, Items) and len(args) == 1 else Items(list(args), is_tuple=True)
        elements = [item.element if isinstance(item, Stream) else item for item in inner.items]
        return Stream(Items(elements, is_tuple=True))
    if last == "from_generator":
        return Stream(UNKNOWN)
    if last in ("range", "random"):
        return Stream(NUMBER)
    return Stream(merge([as_data(arg) for arg in args]))
