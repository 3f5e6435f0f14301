// Package endpoint asks a platform for tokens over HTTP.
//
// How a platform is asked and how its answer is read is data: an [Options]
// with request templates and the places of the values in the answer. An
// [Endpoint] made from it is a [tokencache.Source].
//
// Nothing that the package returns as an error holds a credential, a token, a
// query string, or text of an answer other than a short error code.
package endpoint
