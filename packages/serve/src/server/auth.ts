import { createHash, timingSafeEqual } from "node:crypto";
import { RequestError } from "./request-error.ts";

/**
 * Checks that a header contains one of the tokens. All digests are compared at full length. Therefore, the time of the
 * comparison does not reveal which token was nearly right or where the given token differed.
 */
export function tokenCheck(tokens: readonly string[]): (header: string | undefined) => void {
  const known = tokens.map(digest);
  return (header) => {
    const [, token] = /^Bearer +(\S+)$/i.exec(header ?? "") ?? [];
    const given = digest(token ?? "");
    let fits = false;
    for (const one of known) fits = timingSafeEqual(one, given) || fits;
    if (fits) return;
    const said = header === undefined ? "a token is required" : "the token is not known";
    throw new RequestError("Authorization", `${said}; send Authorization: Bearer TOKEN`, "TOKEN", 401);
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
