"""Drives fixtures/clients/mailroom.py for a test: one JSON command a line in, one JSON answer a line out."""

import base64
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "fixtures", "clients"))
import mailroom  # noqa: E402

# Nothing here is about durability, and disks are slow.
os.fsync = lambda fd: None

rooms = {}
agents = {}
claims = {}


def room_at(path):
    if path not in rooms:
        rooms[path] = mailroom.Room(path)
    return rooms[path]


def agent_of(command):
    key = (command["room"], command["as"])
    if key not in agents:
        agents[key] = room_at(command["room"]).agent(command["as"])
    return agents[key]


def claimed(claim):
    claims[claim.message["id"]] = claim
    return {"message": claim.message, "attempt": claim.attempt, "until": claim.until}


def verdicts(command):
    """What this client says of the message vectors."""
    vectors = command["vectors"]
    keys = mailroom.Keys(bytes.fromhex(command["roomKey"]), vectors["roomId"])
    said = []
    for case in vectors["cases"]:
        data = base64.b64decode(case["bytesBase64"])
        try:
            mailroom.open_message(case["name"], data, case["reader"], keys)
            said.append("accepted")
        except mailroom.Refused as refusal:
            said.append(refusal.reason)
    return said


def counters(command):
    """What this client says of the counter vectors; the files lie in the numbered directories."""
    vectors = command["vectors"]
    limits = {**mailroom.DEFAULT_LIMITS, "rateLimit": vectors["limit"], "rateWindowMs": vectors["windowMs"]}
    said = []
    for directory in command["directories"]:
        counter = mailroom.Counter(directory, limits)
        try:
            counter.read_on()
            name, at = counter.decide(vectors["nowMs"])
            decision = {{"grant": "grantAtMs", "retry": "retryAt", "clock-back": "clockBackToMs"}[name]: at}
            said.append({"grants": [list(grant) for grant in counter.grants], "decision": decision})
            counter.close()
        except mailroom.ChainDamaged:
            said.append("damaged")
    return said


def ids(command):
    source = mailroom.IdSource(command["clockSkewMsMax"])
    return [source.next(at) for at in command["times"]]


def judge(command):
    """What this client says of addresses, types, names, days and orders."""
    return {
        "addresses": [mailroom.is_address(text) for text in command["addresses"]],
        "types": [mailroom.is_type(text) for text in command["types"]],
        "messageNames": [mailroom.parse_message_name(name) for name in command["messageNames"]],
        "claimNames": [mailroom.parse_claim_name(name) for name in command["claimNames"]],
        "ids": [mailroom.is_id(text) for text in command["ids"]],
        "days": [[mailroom.time_of_id(one), mailroom.day_of_id(one)] for one in command["days"]],
        "early": sorted(mailroom.early_names(**command["early"])),
        "ceilings": {"messageBytes": mailroom.MESSAGE_BYTES_CEILING, "jsonDepth": mailroom.JSON_DEPTH_CEILING},
        "drained": [name for part in mailroom.rounds_of(command["listing"]) for name in part],
    }


def drain(command):
    """Claims all there is, at most `limit`; with `ack` acknowledges each at once."""
    agent, found = agent_of(command), []
    for claim in agent.read(command.get("leaseMs")):
        found.append(claimed(claim))
        if command.get("ack"):
            try:
                agent.mailbox.acknowledge(claim)
            except mailroom.LeaseLost:
                found[-1]["lost"] = True
        if len(found) == command.get("limit"):
            break
    return found


def broadcast(command):
    message_id, outcomes = agent_of(command).broadcast(**command["draft"])
    return {"id": message_id, "outcomes": outcomes}


real_now_ms = mailroom.now_ms


def set_clock(command):
    """Without a time, the real one again."""
    now = command.get("nowMs")
    mailroom.now_ms = real_now_ms if now is None else lambda: now


def forget(command):
    """Closes what is open of a room that is gone."""
    room = command["room"]
    rooms.pop(room, None)
    for key in [key for key in agents if key[0] == room]:
        agents.pop(key).counter.close()
    set_clock({})


def on_claim(verb):
    def act(command):
        mailbox, claim = agent_of(command).mailbox, claims[command["id"]]
        if verb == "reject":
            return mailbox.reject(claim, command["detail"])
        if verb == "renew":
            return mailbox.renew(claim, command["leaseMs"])
        return getattr(mailbox, verb)(claim)

    return act


OPERATIONS = {
    "verdicts": verdicts,
    "counters": counters,
    "ids": ids,
    "judge": judge,
    "clock": set_clock,
    "forget": forget,
    "join": lambda command: room_at(command["room"]).join(command["as"], take_over=command.get("takeOver", False)) and None,
    "leave": lambda command: room_at(command["room"]).leave(command["as"]),
    "send": lambda command: agent_of(command).send(**command["draft"]),
    "broadcast": broadcast,
    "drain": drain,
    "acknowledge": on_claim("acknowledge"),
    "release": on_claim("release"),
    "renew": on_claim("renew"),
    "reject": on_claim("reject"),
    "retry": lambda command: agent_of(command).mailbox.retry_dead(command["name"]),
}

for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"result": OPERATIONS[request["op"]](request)}
    except (mailroom.MailroomError, OSError) as error:
        about = {"reason": getattr(error, "reason", None), "retryAt": getattr(error, "retry_at", None)}
        answer = {"error": getattr(error, "code", type(error).__name__), "text": str(error), **about}
    print(mailroom.ascii_json(answer), flush=True)
