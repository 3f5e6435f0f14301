// Package platformtest simulates the platforms that authproxy knows, as strict
// as their documents: a request that a document does not allow is refused, an
// answer has the shape that the document shows. It serves tests, which put a
// [Platform] behind an httptest.Server, and the command "authproxy demo".
//
// The documents, as they are named in the comments of this package:
//
//   - "WeDa": Tencent WeDa, OpenAPI, 概述 (public cloud).
//   - "WeDa private": Tencent WeDa, private deployment, OpenAPI 接口调用方式.
//   - "CloudBase": Tencent CloudBase HTTP API, Access Token; WeDa private,
//     section 4.1, refers to it.
//   - "HENGSHI": HENGSHI SENSE, API授权.
//   - "Gongjiangyun": 工匠云 (dhgjcloud), 接口说明.
//   - RFC 6749 and RFC 6750.
//
// Where a document is silent the simulation has to choose; such a choice is
// called so in the comment, and what matters of it can be set.
//
// On every platform the API answers an accepted request with an [Echo] of what
// arrived. Three endings of a path ask for something else, once the token has
// been accepted: "/forbidden" for the platform's permission error, "/ratelimit"
// for its rate limit (429) and, on [NewOAuth2], "/scope401" for a 401 whose
// reason is insufficient_scope.
package platformtest
