package rosterimport

import (
	"crypto/sha256"
	"errors"
	"io"
	"iter"
	"os"
	"slices"

	pb "example.com/rosterimport/userimportv1"
)

// A message may have 4 MiB. Large ones keep HTTP/2 quick, and these leave room for any row.
const (
	chunkBytes   = 512 * 1024
	rowsAMessage = 500
)

// A Roster gives all the messages that follow start, finish included. It can be read any number of times: each
// attempt sends all of it.
type Roster iter.Seq2[*pb.ImportUsersRequest, error]

// CSVFile is a CSV file on disk, sent as it is: the server knows about charsets and delimiters.
func CSVFile(path string) Roster {
	return func(yield func(*pb.ImportUsersRequest, error) bool) {
		file, err := os.Open(path)
		if err != nil {
			yield(nil, err)
			return
		}
		defer file.Close()
		digest := sha256.New()
		var byteCount uint64
		for {
			// Each message its own: gRPC may still be sending the one before.
			chunk := make([]byte, chunkBytes)
			read, err := io.ReadFull(file, chunk)
			if err == io.EOF {
				break
			} else if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				yield(nil, err)
				return
			}
			digest.Write(chunk[:read])
			byteCount += uint64(read)
			if !yield(&pb.ImportUsersRequest{Message: &pb.ImportUsersRequest_CsvChunk{CsvChunk: chunk[:read]}}, nil) {
				return
			}
		}
		// The totals let the server notice an upload that lost something on its way.
		yield(finish(&pb.ImportFinish{ByteCount: &byteCount, Sha256: digest.Sum(nil)}), nil)
	}
}

// TypedRows are rows from memory. An optional attribute that is nil stays as it is; one that is "" is cleared.
func TypedRows(rows []*pb.UserRow) Roster {
	return func(yield func(*pb.ImportUsersRequest, error) bool) {
		for group := range slices.Chunk(rows, rowsAMessage) {
			message := &pb.ImportUsersRequest_Rows{Rows: &pb.UserRows{Rows: group}}
			if !yield(&pb.ImportUsersRequest{Message: message}, nil) {
				return
			}
		}
		rowCount := uint64(len(rows))
		yield(finish(&pb.ImportFinish{RowCount: &rowCount}), nil)
	}
}

func finish(totals *pb.ImportFinish) *pb.ImportUsersRequest {
	return &pb.ImportUsersRequest{Message: &pb.ImportUsersRequest_Finish{Finish: totals}}
}
