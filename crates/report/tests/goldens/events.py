"""Event files by TensorBoard's own code.

    python events.py write      makes scalars.tfevents beside this script, which the tests compare byte for byte
    python events.py read DIR   prints every scalar that TensorBoard finds in the event files of a folder

Needs the package tensorboard (2.21.0 made the file here).
"""

import pathlib
import sys


def write():
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    with open(pathlib.Path(__file__).parent / "scalars.tfevents", "wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=1.5e9, file_version="brain.Event:2").SerializeToString())
        for step in (1, 127, 128, 300_000):
            event = Event(wall_time=1.5e9 + step / 8, step=step)
            event.summary.value.add(tag="step/loss", simple_value=1 / step)
            event.summary.value.add(tag="step/learning_rate", simple_value=0)
            event.summary.value.add(tag="é" * 70, simple_value=-2.5)
            writer.write(event.SerializeToString())
        writer.flush()


def read(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(folder, size_guidance={"scalars": 0}).Reload()
    for tag in sorted(events.Tags()["scalars"]):
        scalars = events.Scalars(tag)
        print(f"{tag}: {len(scalars)} points, step {scalars[-1].step}: {scalars[-1].value:.6g}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write"]:
            write()
        case ["read", folder]:
            read(folder)
        case _:
            sys.exit(__doc__)
