"""Finds or makes the data sets that the room serves as Keras's own."""

from grader.datasets.finding import dataset_names, find_dataset
from grader.datasets.interface import DatasetFiles
from grader.datasets.pulling import pull_dataset

__all__ = ["DatasetFiles", "dataset_names", "find_dataset", "pull_dataset"]
