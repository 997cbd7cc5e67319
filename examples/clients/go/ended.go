package rosterimport

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "example.com/rosterimport/userimportv1"
)

// Ended says how an import ended.
type Ended struct {
	ImportID string
	// Summary is the last message; nil where the stream broke off before it.
	Summary *pb.ImportSummary
	// Status is nil where it was OK.
	Status *status.Status
}

// Transient returns true if the same import, sent again, may succeed.
func (ended *Ended) Transient() bool {
	if ended.Status == nil {
		return ended.Summary == nil
	}
	return isTransient(ended.Status)
}

// ExitCode is as the user-import command has it: 0 all rows stand, 3 some rows rejected, 4 refused (nothing
// written), 5 interrupted or unreachable, 6 cancelled.
func (ended *Ended) ExitCode() int {
	state := ended.Summary.GetState()
	switch {
	case ended.Transient(), state == pb.ImportState_IMPORT_STATE_INTERRUPTED:
		return 5
	case state == pb.ImportState_IMPORT_STATE_REFUSED:
		return 4
	case state == pb.ImportState_IMPORT_STATE_CANCELLED:
		return 6
	case ended.Status != nil:
		return exitCodeOf(ended.Status)
	case ended.Summary.GetRejected() > 0:
		return 3
	default:
		return 0
	}
}

func exitCodeOf(failed *status.Status) int {
	switch failed.Code() {
	case codes.Canceled: // With details, or it would be transient.
		return 6
	case codes.DataLoss, codes.DeadlineExceeded, codes.Internal, codes.Unknown:
		return 5
	default:
		return 4
	}
}
