-- question: what do we hold of one post?
-- params: platform, post_id
-- columns: all of posts
SELECT * FROM posts WHERE key = md5_number_lower($platform || ' ' || $post_id) AND NOT hidden
