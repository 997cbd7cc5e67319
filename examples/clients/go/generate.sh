#!/bin/sh
# Writes the stubs of the contract to userimportv1/ beside this file. Needs protoc; the two plug-ins are
# the versions that go.mod names.
set -eu
cd "$(dirname "$0")"
proto=../../../proto
module=$(go list -m)
GOBIN=$PWD/bin go install tool
options="module=$module"
for file in types import_service directory_service audit_service; do
    options="$options,Muserimport/v1/$file.proto=$module/userimportv1"
done
PATH=$PWD/bin:$PATH protoc -I "$proto" \
    --go_out=. --go_opt="$options" --go-grpc_out=. --go-grpc_opt="$options" \
    "$proto"/userimport/v1/*.proto
