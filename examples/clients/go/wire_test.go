package rosterimport_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "example.com/rosterimport/userimportv1"
)

// The contract's golden messages, which all clients decode alike.
func TestAGoldenMessageDecodesToItsJSON(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(repository, "tests/wire/*/*.binpb"))
	check(t, err)
	if len(files) < 10 {
		t.Fatal("the fixtures are missing")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			encoded, err := os.ReadFile(file)
			check(t, err)
			twin, err := os.ReadFile(strings.TrimSuffix(file, "binpb") + "json")
			check(t, err)
			kind := protoreflect.FullName("userimport.v1." + filepath.Base(filepath.Dir(file)))
			message, err := protoregistry.GlobalTypes.FindMessageByName(kind)
			check(t, err)
			decoded := message.New().Interface()
			check(t, proto.Unmarshal(encoded, decoded))
			found, err := protojson.Marshal(decoded)
			check(t, err)
			if !reflect.DeepEqual(parse(t, found), parse(t, twin)) {
				t.Fatalf("%s", found)
			}
		})
	}
}

func parse(t *testing.T, text []byte) (value any) {
	t.Helper()
	check(t, json.Unmarshal(text, &value))
	return value
}
