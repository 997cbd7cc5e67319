/** Imports rosters into User Import over gRPC; see {@link example.rosterimport.Importer}. */
package example.rosterimport;
