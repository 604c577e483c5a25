"""A stranger's process: prints what comes on a topic as JSON, and may publish a dict meanwhile.

python listen.py TOPIC COUNT [TOPIC_TO_TELL DICT_AS_JSON]
"""

import json
import sys
import time

import horus


def plain(message):
    if isinstance(message, dict):
        return message
    return {"linear": message.linear, "angular": message.angular}


def main(name, count, tell=None, told="null"):
    received, topic = [], horus.Topic(name)
    teller = horus.Topic(tell) if tell else None
    end = time.monotonic() + 30
    while len(received) < int(count) and time.monotonic() < end:
        if teller:
            teller.send(json.loads(told))
        if topic.wait(0.02):
            received.extend(topic.recv_all())
    print(json.dumps([plain(message) for message in received[: int(count)]]))


main(*sys.argv[1:])
