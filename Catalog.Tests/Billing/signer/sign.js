import { readFileSync, writeFileSync } from "node:fs";
import Stripe from "stripe";

const { webhooks } = new Stripe("sk_test_unused");

/** Verifies a header with Stripe's library; creates the header if none is given. */
function verify({ payload, secret, timestamp, header, now }) {
    header ??= webhooks.generateTestHeaderString({ payload, secret, timestamp });
    try {
        webhooks.signature.verifyHeader(payload, header, secret, 300, undefined, now * 1000);
        return { header, holds: true };
    } catch {
        // Every error counts as invalid, because a missing signature has no error type of its own.
        return { header, holds: false };
    }
}

writeFileSync("answers.json", JSON.stringify(JSON.parse(readFileSync("cases.json", "utf8")).map(verify)));
