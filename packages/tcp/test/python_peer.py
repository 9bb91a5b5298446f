"""The wire in another language: 4 bytes of length, big-endian, then the message.

python_peer.py connect|listen HOST PORT

Sends 300 messages of many sizes, expects the same ones back, and then echoes what it gets until the end.
Prints the port when it listens, and "verified" at the end.
"""

import socket
import struct
import sys
import threading


def pattern(length, seed):
    return bytes((seed + i * 7) & 0xFF for i in range(length))


SIZES = [0, 1, 3, 4, 64, 1000, 65_531, 65_532, 65_536, 300_000]
MESSAGES = [pattern(SIZES[i % len(SIZES)], i) for i in range(300)]


def read_exactly(connection, length):
    data = bytearray()
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            if data:
                raise EOFError("the stream ended within a frame")
            return None
        data += part
    return bytes(data)


def read_message(connection):
    header = read_exactly(connection, 4)
    if header is None:
        return None
    (length,) = struct.unpack(">I", header)
    return read_exactly(connection, length) if length > 0 else b""


def send_message(connection, message):
    connection.sendall(struct.pack(">I", len(message)) + message)


def main():
    role, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if role == "listen":
        with socket.create_server((host, port)) as server:
            print(server.getsockname()[1], flush=True)
            connection, _ = server.accept()
    else:
        connection = socket.create_connection((host, port))
    with connection:
        sender = threading.Thread(target=lambda: [send_message(connection, m) for m in MESSAGES])
        sender.start()
        for index, expected in enumerate(MESSAGES):
            if read_message(connection) != expected:
                sys.exit(f"message {index} came back wrong")
        sender.join()
        while (message := read_message(connection)) is not None:
            send_message(connection, message)
        connection.shutdown(socket.SHUT_WR)
    print("verified", flush=True)


main()
