"""What scripts/contract writes is what stands in the repository, and the AsyncAPI document says what the code says."""

import schemas
import write_vectors
import yaml

from device.wire.envelope import Kind
from device.wire.topics import CARRIES, TO_TERMINAL, Leaf

DOCUMENT = yaml.safe_load((schemas.SCHEMAS.parent / "asyncapi.yaml").read_text())


def test_the_schemas_are_those_of_the_models():
    written = {path: path.read_text() for path in schemas.SCHEMAS.iterdir()}
    assert written == schemas.texts()


def test_the_vectors_are_those_that_are_made():
    made = write_vectors.texts()
    assert {path: path.read_text() for path in made} == made


def test_every_leaf_is_a_channel_with_its_messages_in_its_direction():
    actions = {operation["channel"]["$ref"]: operation["action"] for operation in DOCUMENT["operations"].values()}
    channels = {}
    for name, channel in DOCUMENT["channels"].items():
        leaf = Leaf(channel["address"].removeprefix("likeness/v1/{terminal}/"))
        channels[leaf] = tuple(Kind(f"likeness-{message}+jwt") for message in channel["messages"])
        assert actions[f"#/channels/{name}"] == ("send" if leaf in TO_TERMINAL else "receive")
    assert channels == CARRIES


def test_every_message_has_the_length_and_the_schema_of_its_kind():
    for name, message in DOCUMENT["components"]["messages"].items():
        own = message["payload"]["allOf"][1]
        header, claims = own["contentSchema"]["prefixItems"]
        assert own["maxLength"] == Kind(f"likeness-{name}+jwt").max_bytes
        assert header["properties"]["typ"]["const"] == f"likeness-{name}+jwt"
        assert claims["$ref"] == f"./schemas/{name}.json"
