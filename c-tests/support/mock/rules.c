// What connections of the mock meet: rules for one of them or for all.

#include "internal.h"

static void set_rule(mock *m, rule_kind kind, int nth, int value, const char *text)
{
    rule *r = calloc(1, sizeof *r);

    *r = (rule){kind, nth, value, text ? strdup(text) : NULL, NULL};
    pthread_mutex_lock(&m->lock);
    r->next  = m->rules;
    m->rules = r;
    pthread_mutex_unlock(&m->lock);
}

// The newest rule for exactly that connection, else the newest for all.
static const rule *find_rule(mock *m, rule_kind kind, int nth)
{
    const rule *general = NULL;

    for (const rule *r = m->rules; r != NULL; r = r->next)
    {
        if (r->kind != kind)
            continue;
        if (r->nth == nth)
            return r;
        if (r->nth == MOCK_ALL && general == NULL)
            general = r;
    }
    return general;
}

int rule_value(mock *m, rule_kind kind, int nth, int otherwise)
{
    const rule *r;
    int         value;

    pthread_mutex_lock(&m->lock);
    r     = find_rule(m, kind, nth);
    value = r ? r->value : otherwise;
    pthread_mutex_unlock(&m->lock);
    return value;
}

char *rule_text(mock *m, rule_kind kind, int nth)
{
    const rule *r;
    char       *text;

    pthread_mutex_lock(&m->lock);
    r    = find_rule(m, kind, nth);
    text = r && r->text ? strdup(r->text) : NULL;
    pthread_mutex_unlock(&m->lock);
    return text;
}

void mock_on_accept(mock *m, int nth, mock_greeting what)
{
    set_rule(m, RULE_ACCEPT, nth, what, NULL);
}

void mock_info(mock *m, int nth, const char *json)
{
    set_rule(m, RULE_INFO, nth, 0, json);
}

void mock_greeting_text(mock *m, int nth, const char *text)
{
    set_rule(m, RULE_GREETING, nth, 0, text);
}

void mock_handshake_reply(mock *m, int nth, const char *text)
{
    set_rule(m, RULE_REPLY, nth, 0, text);
}

void mock_before_pong(mock *m, int nth, const char *text)
{
    set_rule(m, RULE_BEFORE, nth, 0, text);
}

void mock_after_pong(mock *m, int nth, const char *text)
{
    set_rule(m, RULE_AFTER, nth, 0, text);
}

void mock_close_in_handshake(mock *m, int nth, bool on)
{
    set_rule(m, RULE_CLOSE, nth, on, NULL);
}

void rules_free(mock *m)
{
    while (m->rules != NULL)
    {
        rule *next = m->rules->next;
        free(m->rules->text);
        free(m->rules);
        m->rules = next;
    }
}
