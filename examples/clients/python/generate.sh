#!/bin/sh
# Writes the stubs of the contract to userimport/v1/ beside this file.
set -eu
cd "$(dirname "$0")"
proto=../../../proto
python -m grpc_tools.protoc -I "$proto" --python_out=. --pyi_out=. --grpc_python_out=. "$proto"/userimport/v1/*.proto
