-- Alerts that began or changed, with the messages that tell of it; what people wrote stays. Reads in_alerts, in_messages.
MERGE INTO alerts a USING in_alerts i ON a.id = i.id
WHEN MATCHED THEN UPDATE SET
    seen_at = i.seen_at, sentence = i.sentence, rate = i.rate, effect = i.effect, low = i.low, high = i.high,
    level = i.level, method = i.method, n = i.n, thread = i.thread, "first" = i."first", phrases = i.phrases,
    woken_at = i.woken_at, escalated_at = i.escalated_at, resolved_at = i.resolved_at
WHEN NOT MATCHED THEN INSERT BY NAME;

INSERT INTO deliveries
SELECT alert, state, round, target, $now, NULL, 0, NULL, false, ''
FROM in_messages
ANTI JOIN deliveries USING (alert, state, round, target);
